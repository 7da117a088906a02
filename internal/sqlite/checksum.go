package sqlite

import (
	"encoding/binary"
	"hash/crc32"
)

// Checksum returns the CRC-32C of texts and their lengths, for a column of rows that must show when they are damaged or
// stand in each other's place. It finds damage, not forgery: who can write the file can change anything.
func Checksum(texts ...string) int64 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by its package
	sum := uint32(0)
	var length [8]byte
	for _, text := range texts {
		binary.BigEndian.PutUint64(length[:], uint64(len(text)))
		sum = crc32.Update(sum, table, length[:])
		sum = crc32.Update(sum, table, []byte(text))
	}
	return int64(sum)
}
