"""The recommender: which items will this customer want next?"""
