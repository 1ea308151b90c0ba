"""From a key that a device offers to one that is believed: shown, compared by an officer, put on record.

Nothing here believes anything by itself: what the network offers is a claim until somebody has read the
same at the device's console.
"""
