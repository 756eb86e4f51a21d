"""Store models: which store does a customer visit next?"""
