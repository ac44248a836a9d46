"""Parts and archive: records in, encrypted and streamed out. Plain values only; no models, no cases.

parts    lines of records, compressed and encrypted in storage
mask     keys, tokens, passwords and their hashes never leave
table    typed columns; CSV that no spreadsheet runs
archive  sources and contents in, one ZIP64 out, memory flat
letter   the signed letter with its ten slots, printed by a process of its own (press, printer)
opening  an archive verified against its manifest, and unpacked
"""
