-- No record is validated twice. If a file has as many rows as there are numbers from its first line to its last, the
-- sum of the hashes of its lines has to equal that of these numbers. The lines of other files are grouped (10 million
-- lines: 0.4 against 1.7 CPU-seconds).
{{ config(meta={'dagster': {'ref': {'name': 'int_new_records'}}}) }}

with files as (
    select
        file_id,
        min(source_line) as first_line,
        max(source_line) as last_line,
        count(*) as row_count,
        {{ sum_of_hashes(hash_of(['source_line'])) }} as fingerprint
    from {{ ref('int_new_records') }}
    group by file_id
),

numbers as (
    select
        file_id,
        {{ each_number('first_line', 'last_line') }} as source_line
    from files
    where last_line - first_line + 1 = row_count
),

files_of_numbers as (
    select
        file_id,
        {{ sum_of_hashes(hash_of(['source_line'])) }} as fingerprint
    from numbers
    group by file_id
),

files_to_test as (
    select files.file_id
    from files
    left join files_of_numbers on files.file_id = files_of_numbers.file_id
    where files.fingerprint is distinct from files_of_numbers.fingerprint
)

select
    file_id,
    source_line,
    count(*) as row_count
from {{ ref('int_new_records') }}
where file_id in (select file_id from files_to_test)
group by file_id, source_line
having count(*) > 1
