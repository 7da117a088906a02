// Package realmodel holds the test that talks to a real model server: scripts/real-model builds one and runs it.
//
// The model is a language model of two small layers with random weights, which is written here in a moment. What it says is
// noise. That is enough: the test is about the wire, streams, counts and cancelling, with a server that nobody here wrote.
package realmodel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Sizes of the model.
const (
	layers  = 2
	width   = 64
	heads   = 4
	feed    = 128
	context = 2048
)

// Kinds of values in the format.
const (
	kindU32     = uint32(4)
	kindI32     = uint32(5)
	kindF32     = uint32(6)
	kindString  = uint32(8)
	kindArray   = uint32(9)
	alignment   = 32
	version     = uint32(3)
	tensorIsF32 = uint32(0)
)

// Tiny returns the model as a file in the format GGUF, version 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
// The same seed gives the same file.
func Tiny(seed uint64) []byte {
	m := &model{state: seed}
	m.text("general.architecture", "llama")
	m.text("general.name", "tiny")
	m.number("llama.block_count", layers)
	m.number("llama.context_length", context)
	m.number("llama.embedding_length", width)
	m.number("llama.feed_forward_length", feed)
	m.number("llama.attention.head_count", heads)
	m.number("llama.attention.head_count_kv", heads)
	m.number("llama.rope.dimension_count", width/heads)
	m.key("llama.attention.layer_norm_rms_epsilon", kindF32)
	m.put(float32(1e-5))
	vocabulary := m.tokenizer()

	m.tensor("token_embd.weight", width, vocabulary)
	for i := range layers {
		name := func(part string) string { return fmt.Sprintf("blk.%d.%s.weight", i, part) }
		m.tensor(name("attn_norm"), width)
		for _, part := range []string{"attn_q", "attn_k", "attn_v", "attn_output"} {
			m.tensor(name(part), width, width)
		}
		m.tensor(name("ffn_norm"), width)
		m.tensor(name("ffn_gate"), width, feed)
		m.tensor(name("ffn_up"), width, feed)
		m.tensor(name("ffn_down"), feed, width)
	}
	m.tensor("output_norm.weight", width)
	m.tensor("output.weight", width, vocabulary)
	return m.file()
}

// model is a file that is being written.
type model struct {
	state   uint64
	keys    uint64
	tensors uint64
	meta    bytes.Buffer
	infos   bytes.Buffer
	data    bytes.Buffer
}

// tokenizer writes a vocabulary of single bytes and returns its size.
func (m *model) tokenizer() int {
	tokens := []string{"<unk>", "<s>", "</s>"}
	types := []int32{2, 3, 3} // unknown, control
	for b := range 256 {
		tokens = append(tokens, fmt.Sprintf("<0x%02X>", b))
		types = append(types, 6) // byte
	}
	m.text("tokenizer.ggml.model", "llama")
	m.list("tokenizer.ggml.tokens", kindString, len(tokens))
	for _, t := range tokens {
		m.string(&m.meta, t)
	}
	m.list("tokenizer.ggml.scores", kindF32, len(tokens))
	for i := range tokens {
		m.put(float32(-i))
	}
	m.list("tokenizer.ggml.token_type", kindI32, len(types))
	for _, t := range types {
		m.put(t)
	}
	m.number("tokenizer.ggml.bos_token_id", 1)
	m.number("tokenizer.ggml.eos_token_id", 2)
	m.number("tokenizer.ggml.unknown_token_id", 0)
	return len(tokens)
}

func (m *model) put(v any) { _ = binary.Write(&m.meta, binary.LittleEndian, v) } // a buffer takes everything

func (m *model) string(to *bytes.Buffer, s string) {
	_ = binary.Write(to, binary.LittleEndian, uint64(len(s)))
	to.WriteString(s)
}

func (m *model) key(name string, kind uint32) {
	m.keys++
	m.string(&m.meta, name)
	m.put(kind)
}

func (m *model) text(name, v string) {
	m.key(name, kindString)
	m.string(&m.meta, v)
}

func (m *model) number(name string, n int) {
	m.key(name, kindU32)
	m.put(uint32(n))
}

func (m *model) list(name string, of uint32, n int) {
	m.key(name, kindArray)
	m.put(of)
	m.put(uint64(n))
}

// tensor writes a tensor of small random numbers; one of a single dimension scales and is about 1.
func (m *model) tensor(name string, shape ...int) {
	m.tensors++
	m.string(&m.infos, name)
	_ = binary.Write(&m.infos, binary.LittleEndian, uint32(len(shape)))
	n := 1
	for _, d := range shape {
		_ = binary.Write(&m.infos, binary.LittleEndian, uint64(d))
		n *= d
	}
	_ = binary.Write(&m.infos, binary.LittleEndian, tensorIsF32)
	_ = binary.Write(&m.infos, binary.LittleEndian, uint64(m.data.Len()))
	for range n {
		v := m.random() * 0.2
		if len(shape) == 1 {
			v = 1 + v*0.1
		}
		_ = binary.Write(&m.data, binary.LittleEndian, math.Float32bits(v))
	}
	pad(&m.data)
}

// random returns the next number between -1 and 1, of the generator SplitMix64.
func (m *model) random() float32 {
	m.state += 0x9e3779b97f4a7c15
	z := m.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float32(int64(z^z>>31)) / float32(1<<63)
}

func pad(b *bytes.Buffer) {
	for b.Len()%alignment != 0 {
		b.WriteByte(0)
	}
}

func (m *model) file() []byte {
	var out bytes.Buffer
	out.WriteString("GGUF")
	for _, v := range []any{version, m.tensors, m.keys} {
		_ = binary.Write(&out, binary.LittleEndian, v)
	}
	out.Write(m.meta.Bytes())
	out.Write(m.infos.Bytes())
	pad(&out)
	out.Write(m.data.Bytes())
	return out.Bytes()
}
