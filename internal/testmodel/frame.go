package testmodel

import (
	"encoding/binary"
	"hash/crc32"
)

// header is a text in the head of a frame.
type header struct{ name, text string }

// frame writes one message of Amazon's event stream encoding: lengths, a checksum of them, headers, the payload, and a
// checksum of everything before it.
func frame(payload []byte, headers ...header) []byte {
	var head []byte
	for _, h := range headers {
		head = append(head, byte(len(h.name)))
		head = append(head, h.name...)
		head = append(head, 7) // a string
		head = binary.BigEndian.AppendUint16(head, uint16(len(h.text)))
		head = append(head, h.text...)
	}
	const around = 16 // two lengths and two checksums
	out := binary.BigEndian.AppendUint32(make([]byte, 0, around+len(head)+len(payload)), uint32(around+len(head)+len(payload)))
	out = binary.BigEndian.AppendUint32(out, uint32(len(head)))
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
	out = append(append(out, head...), payload...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
}

// ConverseEvent writes one event of a ConverseStream answer as it comes over the wire.
func ConverseEvent(name string, payload []byte) []byte {
	return frame(payload, header{":event-type", name}, header{":content-type", "application/json"}, header{":message-type", "event"})
}

// ConverseException writes an error in the middle of a ConverseStream answer.
func ConverseException(name string, payload []byte) []byte {
	return frame(payload, header{":exception-type", name}, header{":content-type", "application/json"}, header{":message-type", "exception"})
}
