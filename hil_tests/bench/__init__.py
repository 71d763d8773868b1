"""The lift twin, its controller on a paced serial line, and the bench that holds them. Nothing here knows the firmware's code."""
