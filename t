25876 +++ exited with 65 +++
