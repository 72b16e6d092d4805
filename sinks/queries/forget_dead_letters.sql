-- That something was refused, when and for which reason, still counts; nothing of what was refused is left.
ALTER TABLE rejected_log /*on_cluster*/
UPDATE event_id = NULL, message = 'forgotten', original = '', original_length = 0, original_sha256 = '', line = NULL
WHERE dead_letter_id IN {dead_letters:Array(UUID)}
SETTINGS mutations_sync = 2
