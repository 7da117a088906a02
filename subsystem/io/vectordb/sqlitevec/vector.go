package sqlitevec

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// pack writes a vector as it is kept.
func pack(v []float32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

// unpack reads a vector into room, and reports whether it has the length of it.
func unpack(data []byte, room []float32) bool {
	if len(data) != 4*len(room) {
		return false
	}
	for i := range room {
		room[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return true
}

// vectorSum is the checksum of a vector at its place, so that none passes for another one.
func vectorSum(namespace, source, place int64, norm float64, data []byte) int64 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by its package
	var head [32]byte
	for i, n := range []uint64{uint64(namespace), uint64(source), uint64(place), math.Float64bits(norm)} {
		binary.BigEndian.PutUint64(head[8*i:], n)
	}
	return int64(crc32.Update(crc32.Checksum(head[:], table), table, data))
}
