from django.http import JsonResponse
from django.urls import path


def read(request):
    return JsonResponse({"hello": "from Django by " + ("ASGI" if hasattr(request, "scope") else "WSGI")})


urlpatterns = [path("", read)]
