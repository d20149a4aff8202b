"""A session with a pump: greeting, handshake, requests, retries, outcomes.

Floor 3. It knows messages but not what they mean to a patient; it never prints.
"""
