package sqlite

import (
	"encoding/binary"
	"hash/crc32"
)

// sumStep is how much is summed at once, in bytes.
const sumStep = 32 << 10

// Checksum returns the CRC-32C of texts and their lengths, for a column of rows that must show when they are damaged or
// stand in each other's place. It finds damage, not forgery: who can write the file can change anything.
func Checksum(texts ...string) int64 {
	total := 0
	for _, text := range texts {
		total += 8 + len(text)
	}
	table := crc32.MakeTable(crc32.Castagnoli) // made once by its package
	sum := uint32(0)
	buf := make([]byte, 0, min(total, sumStep)+8)
	for _, text := range texts {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(text)))
		for len(buf)+len(text) > cap(buf)-8 {
			n := max(cap(buf)-8-len(buf), 0)
			buf = append(buf, text[:n]...)
			text = text[n:]
			sum = crc32.Update(sum, table, buf)
			buf = buf[:0]
		}
		buf = append(buf, text...)
	}
	return int64(crc32.Update(sum, table, buf))
}
