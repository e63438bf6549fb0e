"""What is written of long work where no terminal draws bars."""

from windlass.pages.text.progress import bars


def test_the_end_of_a_step_is_said_once(capsys):
    progress = bars()
    progress("train linear", 1, 1, "done")
    progress("ship", 3, 3, "written")
    assert capsys.readouterr().err == "train linear  done\nship  done  written\n"
