"""Who is measured, one file each. What a file needs is imported where it is used: imports are measured, too."""
