"""Large neighbourhood search whose neighbourhoods a bandit chooses; free of any kind of problem."""
