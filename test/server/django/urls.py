from django.urls import path

import views

urlpatterns = [
    path("login", views.login),
    path("me", views.Me.as_view()),
    path("notes", views.notes),
    path("claims", views.claims),
    path("logout", views.logout),
    path("handles/<str:user_id>", views.handles),
]
