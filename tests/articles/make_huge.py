#!/usr/bin/env python3
"""Writes a plain-text article of about 2 MB to standard output, the same bytes every time.

usage: make_huge.py
"""
import sys

PLACES = ["Karsten", "Lodvin", "Kestrelhaven", "Sant Oriol", "Upper Marrow", "Geneva"]
PEOPLE = ["Rosa Keltner", "Otto Breem", "Agnes Romilly", "Joan Peralvic", "Hedda Marosz"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
LIMIT_BYTES = 2_000_000


def paragraph(number):
    place = PLACES[number % len(PLACES)]
    person = PEOPLE[number % len(PEOPLE)]
    day = DAYS[number % len(DAYS)]
    return (f"Paragraph {number} of the long report tells what {person} said in {place} on {day}. "
            f"The committee counted {number * 7 % 1000} letters, and {person.split()[1]} answered "
            f"{number * 3 % 100} of them by {1990 + number % 30}. \"We read every one,\" {place} heard.\n\n")


def main():
    written = sys.stdout.write("The long report of the letters committee\n\nBy Ada Loriman\n\n")
    number = 1
    while written < LIMIT_BYTES:
        written += sys.stdout.write(paragraph(number))
        number += 1


if __name__ == "__main__":
    main()
