"""A reorganisation as a change: units merge, split, are renamed; a province joins another.

Places keep their number, so what stands in them keeps its address; names follow the units. A unit that
ended stays written where its seat was, with its last day, so that its records can be followed.
"""
