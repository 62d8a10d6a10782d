"""Who is compared: each reads the same bytes from the same server, in a fresh process, and says what that took.

Some need packages of the extra `bench`; nothing else imports those modules, so that no test needs the packages.
"""
