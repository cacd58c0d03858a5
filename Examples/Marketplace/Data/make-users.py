#!/usr/bin/env python3
"""Writes users.csv: 5,000 invented users, always the same, with some rows as real files have them.

    python3 make-users.py > users.csv
"""

GIVEN = """Ada Grace Edsger Barbara Alan Hedy Donald Radia Dennis Frances Łukasz Zoë José Søren Jürgen Nguyễn Aoife
Björk Chloé Dvořák Elif Fatou Goran Hanae Iñigo Joã Kateřina Léa Mehmet Noémie Oğuz Pål Renée Şule Tomáš Ümit Věra
Wiesław Yūki Žofia 明子 健太 美咲 지우 민준 Мария Иван Ольга Ελένη Νίκος אורי נועה ليلى سامي""".split()
FAMILY = """Lovelace Hopper Dijkstra Liskov Turing Lamarr Knuth Perlman Ritchie Allen Żółć Müller García Ångström
O'Brien Đặng Šimůnek Çelik Ñáñez Œuvrard Þórsdóttir 山田 佐藤 鈴木 김 이 Иванова Петров Παπαδόπουλος כהן حداد""".split()
HOSTS = ["example.com", "example.org", "example.net", "mail.example.com", "xn--bcher-kva.example"]


def numbers(state: int = 20240229):
    """A small generator of its own, so that the file does not depend on the version of Python."""
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


def main() -> None:
    random = numbers()

    def pick(values):
        return values[next(random) % len(values)]

    emails = [""]
    print("email,name,joined")
    for number in range(1, 5001):
        name = f"{pick(GIVEN)} {pick(FAMILY)}"
        email = f"user{number:04d}@{pick(HOSTS)}"
        emails.append(email)
        joined = f"20{next(random) % 25:02d}-{next(random) % 12 + 1:02d}-{next(random) % 28 + 1:02d}"
        row = [email, name, joined]
        if number % 487 == 0:
            row[1] = f'{name}, "the {number}th"'  # a comma and quotation marks
        elif number % 601 == 0:
            row[0] = emails[number - 300].upper()  # the address of an earlier row, in other letters
        elif number % 811 == 0:
            row[0] = f"  {email} "  # white space around the address, which does no harm
        elif number % 907 == 0:
            row[0] = email.replace("@", " at ")
        elif number % 1013 == 0:
            row[1] = "  "
        elif number % 1201 == 0:
            row = row[:2]
        text = ",".join(map(field, row))
        if number == 1777:
            text = f'{email},"{name},{joined}'  # a quotation mark that is never closed
        elif number == 3333:
            text = f'{email},{name} "Nick" Name,{joined}'  # quotation marks where none may be
        print(text)
        if number % 1000 == 0:
            print(text)  # the row once more


if __name__ == "__main__":
    main()
