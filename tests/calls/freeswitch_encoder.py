"""FreeSWITCH's own percent-encoder (switch_url_encode), and what mod_json_cdr sends with encode=true."""

UNSAFE = b'\r\n #%&+:;<=>?@[\\]^`{|}"'
HEX = b"0123456789ABCDEF"


def url_encoded(text: bytes) -> bytes:
    """Existing escapes stay as they are, and the buffer is a byte short of what the worst text needs."""
    room = len(text) * 3 - 1
    encoded, position = bytearray(), 0
    while position < len(text) and len(encoded) < room:
        piece = text[position : position + 3]
        if piece[0] == ord("%") and len(piece) == 3 and piece[1] in HEX and piece[2] in HEX:
            encoded += piece
            position += 3
            continue
        safe = 32 <= piece[0] <= 126 and piece[0] not in UNSAFE
        written = piece[:1] if safe else b"%%%02X" % piece[0]
        if len(encoded) + len(written) > room:
            break
        encoded += written
        position += 1
    return bytes(encoded)


def encoded_twice(body: bytes) -> bytes:
    """The form that mod_json_cdr makes of a record whose values are encoded already."""
    return b"cdr=" + url_encoded(body.strip())
