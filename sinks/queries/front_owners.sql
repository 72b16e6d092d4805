SELECT device, owner
FROM device_owners(devices = {devices:Array(String)})
SETTINGS max_threads = 1
