"""What ./run does once the packages are installed: servers out of wheels, and our own processes.

Production needs none of it (see docker-compose.yml).
"""
