package halstedv1_test

import (
	"fmt"

	halstedv1 "halsted/proto/halsted/v1"

	"google.golang.org/protobuf/proto"
)

func Example() {
	low, high := 38.5, 43.0
	q := &halstedv1.Quantity{Id: "flr_percent", Value: 40.5, Unit: "%", Low: &low, High: &high, Basis: "voxel size"}
	b, err := proto.Marshal(q)
	if err != nil {
		fmt.Println(err)
		return
	}
	var got halstedv1.Quantity
	err = proto.Unmarshal(b, &got)
	fmt.Println(len(b), got.Value, got.Unit, got.GetLow(), got.GetHigh(), err)
	// Output: 55 40.5 % 38.5 43 <nil>
}
