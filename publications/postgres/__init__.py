"""PostgreSQL: the report views as tables, the table functions as functions, in one transaction.

`publication` is the publication. `process` runs `work` in a process of its own. `connection` opens PostgreSQL and the
file. `catalog` and `tables` say which tables there are, `checksums` what the file and PostgreSQL hold. `writing` moves
what differs. `schema`, `definitions` and `comments` make what holds it. `functions` and `views` are computed in
PostgreSQL, `roles` lets readers in, and `checking` compares the result.
"""
