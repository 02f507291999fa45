"""An index in Elasticsearch, for corpora that one machine cannot hold.

`layout.py` says what is stored, `push.py` writes it, `index.py` answers as the embedded index does.
"""
