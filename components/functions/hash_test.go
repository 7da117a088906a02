package functions

import (
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/value"
)

func TestHash(t *testing.T) {
	t.Parallel()
	const unsupported = "Digest method not supported"
	tests := []recording{
		{"unknown", `{"algorithm":"nope","encoding":"hex"}`, `{"Data":"x"}`, ``, unsupported},
		{"unknown comes before the data", `{"algorithm":"nope"}`, `{"Data":5}`, ``, unsupported},
		{"empty name", `{"algorithm":""}`, `{"Data":"x"}`, ``, unsupported},
		{"no name", `{"encoding":"hex"}`, `{"Data":"x"}`, ``, wrongAlgorithm + "undefined"},
		{"null name", `{"algorithm":null}`, `{"Data":"x"}`, ``, wrongAlgorithm + "null"},
		{"no data", `{"algorithm":"md5"}`, `{}`, ``, wrongData + "undefined"},
		{"null data", `{"algorithm":"md5"}`, `{"Data":null}`, ``, wrongData + "null"},
		{"large number", `{"algorithm":"md5"}`, `{"Data":1e21}`, ``, wrongData + "type number (1e+21)"},
		{"negative zero", `{"algorithm":"md5"}`, `{"Data":-0}`, ``, wrongData + "type number (-0)"},
		{"buffer", `{"algorithm":"md5","encoding":"hex"}`, `{"Data":{"type":"Buffer","data":[97]}}`, `"0cc175b9c0f1b6a831c399e269772661"`, ""},
		{"upper case encoding", `{"algorithm":"md5","encoding":"HEX"}`, `{"Data":"a"}`, `"0cc175b9c0f1b6a831c399e269772661"`, ""},
		{"ASCII", `{"algorithm":"md5","encoding":"ascii"}`, `{"Data":"a"}`, `"\fAu9@q6(1C\u0019biw&a"`, ""},
		{"empty encoding", `{"algorithm":"md5","encoding":""}`, `{"Data":"a"}`, `{"type":"Buffer","data":[12,193,117,185,192,241,182,168,49,195,153,226,105,119,38,97]}`, ""},
	}
	for _, r := range tests {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.check(t, "FHash", "Hash", &component.Call{})
		})
	}
}

// Hashes of the empty text, by each name that OpenSSL 3 takes.
func TestHashNames(t *testing.T) {
	t.Parallel()
	const (
		md5    = "d41d8cd98f00b204e9800998ecf8427e"
		sha1   = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
		sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		ripemd = "9c1185a5c5e9fc54612808977ee8f548b2258d31"
		s512t  = "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"
		blake  = "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce"
	)
	tests := map[string]string{
		"md5": md5, "MD5": md5, "RSA-MD5": md5, "ssl3-md5": md5, "md5WithRSAEncryption": md5,
		"sha1": sha1, "SHA-1": sha1, "RSA-SHA1-2": sha1, "ssl3-sha1": sha1,
		"sha256": sha256, "SHA-256": sha256, "SHA2-256": sha256, "RSA-SHA256": sha256, "sha256WithRSAEncryption": sha256,
		"sha224":     "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
		"sha384":     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
		"sha512":     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
		"sha512-224": "6ed0dd02806fa89e25de060c19d3ac86cabb87d6a0ddd05c333b84f4",
		"sha512-256": s512t, "SHA-512/256": s512t, "RSA-SHA512/256": s512t,
		"sha3-224":  "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7",
		"sha3-256":  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
		"sha3-384":  "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004",
		"sha3-512":  "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
		"ripemd160": ripemd, "rmd160": ripemd, "ripemd": ripemd, "RIPEMD-160": ripemd, "ripemd160WithRSA": ripemd,
		"blake2b512": blake, "BLAKE2B-512": blake,
		"blake2s256": "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9",
		"shake128":   "7f9c2ba4e88f827d616045507605853e",
		"SHAKE-256":  "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f",
		"md5-sha1":   md5 + sha1,
	}
	for name, want := range tests {
		settings := value.Obj(value.M("algorithm", value.Of(name)), value.M("encoding", value.Of("hex")))
		got, err := run(t, "FHash", settings, value.Obj(value.M("Data", value.Of(""))), &component.Call{})
		if err != nil || got.GetString("Hash") != want {
			t.Errorf("%s = %s, %v; want %s", name, got.JSON(), err, want)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	inst := definition(b, "FHash").Compile(parse(b, `{"algorithm":"sha256","encoding":"hex"}`))
	in := component.Input{Ports: []component.NodePort{{Name: "Data"}}, Values: []value.Value{value.Of("hello world")}}
	call := &component.Call{Node: &component.Node{}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inst.Run(b.Context(), call, in); err != nil {
			b.Fatal(err)
		}
	}
}
