-- Dead letters with what came in: as text where it is one, else in Base64.
SELECT
    * EXCEPT (original),
    isValidUTF8(original) ? original : base64Encode(original) AS original,
    isValidUTF8(original) ? 'text' : 'base64' AS original_as
FROM rejected
WHERE dead_letter_id IN {dead_letters:Array(UUID)}
ORDER BY rejected_at, dead_letter_id
