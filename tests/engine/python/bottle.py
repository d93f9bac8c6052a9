import bottle
import waitress

application = bottle.Bottle()


@application.route("/")
def read():
    return {"hello": "from Bottle", "versions": [bottle.__version__, waitress.__name__]}
