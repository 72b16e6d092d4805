SELECT seen, devices
FROM customer_devices(customer = {customer:String})
SETTINGS max_threads = 1
