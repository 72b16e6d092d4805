-- Dead letters with what came in: as text where it is one, else in Base64.
SELECT
    * EXCEPT (original),
    if(isValidUTF8(rejected.original), rejected.original, base64Encode(rejected.original)) AS original,
    if(isValidUTF8(rejected.original), 'text', 'base64') AS original_as
FROM rejected
WHERE dead_letter_id IN {dead_letters:Array(UUID)}
ORDER BY rejected_at, dead_letter_id
