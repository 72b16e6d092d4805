SELECT
    position,
    stage,
    journeys,
    customers,
    went_on,
    went_on_rate,
    met_next,
    dropped_out,
    drop_out_rate,
    still_open,
    converted,
    conversion_rate
FROM stage_conversion
