from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/")
def read():
    return jsonify(hello="from Flask")
