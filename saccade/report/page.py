def write_report(run): 
    p=run/"report.html"; p.write_text("stub"); return p
