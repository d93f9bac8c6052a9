from setuptools import setup

setup(name="shop", version="1", py_modules=["shop"], install_requires=["bottle==0.13.2", "waitress==3.0.2"])
