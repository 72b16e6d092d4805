ALTER TABLE forget_requests /*on_cluster*/ DROP PARTITION {forget_id:String}
