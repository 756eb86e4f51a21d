from omniretail.sources import csv
from hypothesis import given, settings, strategies as st
@settings(max_examples=2, database=None)
@given(st.integers())
def test_x(n): pass
