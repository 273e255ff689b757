def write_card(run): pass
