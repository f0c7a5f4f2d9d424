package halstedv1_test

import (
	"fmt"

	halstedv1 "halsted/proto/halsted/v1"

	"google.golang.org/protobuf/proto"
)

func Example() {
	q := &halstedv1.Quantity{Id: "flr_percent", Value: 40.5, Unit: "%", Spread: &halstedv1.Spread{P2_5: 38.5, P50: 40, P97_5: 43}, Basis: "voxel size"}
	b, err := proto.Marshal(q)
	if err != nil {
		fmt.Println(err)
		return
	}
	var got halstedv1.Quantity
	err = proto.Unmarshal(b, &got)
	fmt.Println(len(b), got.Value, got.Unit, got.Spread.P2_5, got.Spread.P97_5, err)
	// Output: 66 40.5 % 38.5 43 <nil>
}
