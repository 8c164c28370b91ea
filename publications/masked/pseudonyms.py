"""What is shown in the place of an id: HMAC-SHA256 of it with the key, so that nobody without the key can find the id.

The same contact, user or event has the same pseudonym in every column, table and copy with the same key. Names are made
of the pseudonym of the id, not of the name, so a masked file has nothing of a name.
"""

import hashlib
import hmac

import duckdb

# The block of SHA-256.
_BLOCK_BYTES = 64
_SEPARATOR = "\x1f"

# By what a column identifies (`columns.csv`): the expression in its place. {column} is the column, {contact} the
# column of the same table with the id of the contact.
EXPRESSIONS = {
    "nothing": "{column}",
    "contact": "pseudonym_number('contact', {column}::varchar)",
    "contact_name": """
        case when {column} is not null then 'Contact ' || pseudonym_number('contact', {contact}::varchar) end""",
    "user": "'User ' || left(pseudonym('user', {column}), 16)",
    # The users' names are those of their ids: a deleted user is shown as the id.
    "user_name": "case when {column} is not null then 'User ' || left(pseudonym('user', user_id), 16) end",
    "event": "left(pseudonym('event', {column}), 32)",
    "event_key": "hash(workspace_id::varchar, left(pseudonym('event', event_id), 32))",
    "entry": "case directory when 'user' then 'User ' || left(pseudonym('user', {column}), 16) else {column} end",
    "entry_name": "case directory when 'user' then 'User ' || left(pseudonym('user', id), 16) else {column} end",
    # The folder stays, and the ending.
    "file": """
        regexp_replace({column}, '[^/]*$', '') || left(pseudonym('file', {column}), 16)
        || regexp_extract(lower({column}), '([.][a-z]{{1,7}})([.]gz)?$')""",
    "text": "case when {column} is not null then '(masked)' end",
    # What is wrong with a record is a value of it, but for these reasons.
    "reject_detail": """
        case
            when reject_reason in ('malformed_record', 'missing_field', 'unknown_workspace') then {column}
            when {column} is not null then '(masked)'
        end""",
}


def pseudonym(key: bytes, kind: str, value: str) -> str:
    """The HMAC-SHA256 of a kind and a value, as hex: what the SQL function of this name gives."""
    return hmac.new(key, f"{kind}{_SEPARATOR}{value}".encode(), hashlib.sha256).hexdigest()


def define_pseudonyms(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Define the SQL functions of the expressions for a connection. The key is in no statement and in no file."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    for name, byte in (("inner_key", 0x36), ("outer_key", 0x5C)):
        connection.execute(f"set variable {name} = $1::blob", [bytes(part ^ byte for part in padded)])
    connection.execute(
        f"""
        create temp macro pseudonym(kind, value) as sha256(
            getvariable('outer_key') || unhex(sha256(
                getvariable('inner_key') || encode(kind || chr({ord(_SEPARATOR)}) || value)
            ))
        )"""
    )
    # 63 bits: of ten million contacts two have the same number with a probability of one in 200,000.
    connection.execute(
        """
        create temp macro pseudonym_number(kind, value) as
            (('0x' || left(pseudonym(kind, value), 16))::ubigint & 9223372036854775807)::bigint"""
    )
