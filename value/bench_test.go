package value

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// chat is a document like the body of a model request: 100 messages with text, numbers and nested parts.
func chat() string {
	var b strings.Builder
	b.WriteString(`{"model":"echo","temperature":0.7,"messages":[`)
	for i := range 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		n := strconv.Itoa(i)
		b.WriteString(`{"role":"user","id":` + n + `,"seen":true,"content":[{"type":"text","text":"Message ` + n +
			` says: \"hello\" — and something longer, as people do."},{"type":"image","size":1024.5,"url":null}]}`)
	}
	b.WriteString(`]}`)
	return b.String()
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(chat())
	b.Run("value", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := Decode(text, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeSmall(b *testing.B) {
	text := []byte(`{"name":"Ada","n":1}`)
	b.Run("value", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(text, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	text := chat()
	v, err := Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	var decoded any
	if err := json.Unmarshal([]byte(text), &decoded); err != nil {
		b.Fatal(err)
	}
	b.Run("value", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_ = v.JSON()
		}
	})
	b.Run("value-append", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		var buf []byte
		for b.Loop() {
			buf = v.Append(buf[:0])
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := json.Marshal(decoded); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPath(b *testing.B) {
	v, err := Parse(chat())
	if err != nil {
		b.Fatal(err)
	}
	p := ParsePath("messages[99].content[0].text")
	b.ReportAllocs()
	for b.Loop() {
		if p.Walk(v).IsAbsent() {
			b.Fatal("path not found")
		}
	}
}

func BenchmarkFormatNumber(b *testing.B) {
	for name, f := range map[string]float64{"integer": 123456, "fraction": 0.30000000000000004, "exponent": 1.5e-9} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf [32]byte
			for b.Loop() {
				_ = AppendNumber(buf[:0], f)
			}
		})
	}
}
