/*select of device_owners*/
SETTINGS max_threads = 1
