/*select of customer_devices*/
SETTINGS max_threads = 1
