import click


@click.command()
def cluster():
    pass
