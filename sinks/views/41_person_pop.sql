CREATE OR REPLACE VIEW person_pop /*on_cluster*/
AS SELECT
    arrayElement({keys:Array(String)}, 1) AS customer_id,
    arraySlice({keys:Array(String)}, 2) AS linked_ids,
    contacts.*,
    standing.*
FROM person_contacts(keys = {keys:Array(String)}) AS contacts
CROSS JOIN person_standing(person = arrayElement({keys:Array(String)}, 1)) AS standing
COMMENT 'The row of screen_pop for a person whose keys are known, the person first: person_pop(keys = [...])';
