ALTER TABLE risk_log /*on_cluster*/
    ADD COLUMN IF NOT EXISTS lasting Bool DEFAULT true COMMENT 'Whether somebody at high or critical would still be there after the days that the model says if nothing more happened; true of who is not' CODEC(ZSTD(1));
