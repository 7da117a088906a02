package httpserver

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/secret"
)

// TokenFile is the name of the file that holds the token of the operator.
const TokenFile = "server-token"

// tokenBytes is how much chance is in a new token.
const tokenBytes = 32

// LoadOrMakeToken returns the token in a folder. When there is none it makes one and keeps it in a file that only its
// owner may read; created is true then. A file that holds no token is [fault.Invalid] and stays as it is: a token that
// changes by itself would lock out those who have the old one. When another process is making the token the error is
// [fault.Conflict].
func LoadOrMakeToken(folder *disk.Folder, effects effect.Source) (token secret.Value, created bool, err error) {
	token, err = loadToken(folder)
	if !fault.Is(err, fault.NotFound) {
		return token, false, err
	}
	lock, err := folder.Lock(TokenFile + ".lock")
	if err != nil {
		return secret.Value{}, false, fault.Hint(err, "start one server after the other")
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	token, err = loadToken(folder) // another process may have been faster
	if !fault.Is(err, fault.NotFound) {
		return token, false, err
	}
	var random [tokenBytes]byte
	effects.Random(random[:])
	text := hex.EncodeToString(random[:])
	if err = folder.WriteAtomic(TokenFile, []byte(text+"\n")); err != nil {
		return secret.Value{}, false, err
	}
	return secret.New(text), true, nil
}

func loadToken(folder *disk.Folder) (secret.Value, error) {
	text, err := folder.Read(TokenFile, maxToken+2)
	if err != nil {
		return secret.Value{}, err
	}
	token := strings.TrimRight(string(text), "\r\n")
	if !validToken(token) {
		err := fault.Newf(fault.Invalid, "the file holds no token")
		return secret.Value{}, &fault.Error{Op: "httpserver.token", Resource: TokenFile, Kind: fault.Invalid, Err: err, Hint: "remove the file to get a new token"}
	}
	return secret.New(token), nil
}
