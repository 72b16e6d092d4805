ALTER TABLE replays_log /*on_cluster*/
DELETE WHERE dead_letter_id IN {dead_letters:Array(UUID)}
SETTINGS mutations_sync = 2
