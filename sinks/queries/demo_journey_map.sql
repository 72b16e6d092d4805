SELECT stage, channel, touchpoints, share_of_customers, sentiment_avg
FROM journey_map
