"""Publications beside the file: each follows the published file, whole or not at all.

`interface` says what a publication must do, `configured` which ones there are, and `follow` whether one is behind. Each
module or package beside them is one publication. They read nothing but the published file.
"""
