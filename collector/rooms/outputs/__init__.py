"""What leaves a room: reports, minutes, tables, maps, files of other programs. Pure: values in, text or bytes out."""
