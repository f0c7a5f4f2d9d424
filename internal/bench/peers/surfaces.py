"""VTK's surfaces of a label map, as peers to measure against.

    python3 surfaces.py BASE extract|smooth|decimate

BASE.raw has one byte per voxel, x fastest; BASE.json has Dims and Sp (mm).
Prints CPU seconds (best of 3) and counts as JSON.
"""
import json
import resource
import sys

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

base, task = sys.argv[1:3]
vtk.vtkSMPTools.Initialize(1)


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def best(step):
    """Runs a filter three times; returns the fastest and its output."""
    times = []
    for _ in range(3):
        step.Modified()
        start = cpu()
        step.Update()
        times.append(cpu() - start)
    return min(times), step.GetOutput()


def image(voxels):
    with open(base + ".json") as f:
        scene = json.load(f)
    out = vtk.vtkImageData()
    out.SetDimensions(scene["Dims"])
    out.SetSpacing(scene["Sp"])
    out.GetPointData().SetScalars(numpy_to_vtk(voxels, deep=True))
    return out


voxels = np.fromfile(base + ".raw", np.uint8)
if task == "extract":
    step = vtk.vtkDiscreteFlyingEdges3D()
    step.SetInputData(image(voxels))
    for n in range(int(voxels.max())):
        step.SetValue(n, n + 1)
    step.ComputeNormalsOff()
else:
    # the other two are measured on the outer surface, as VTK has no shared one
    whole = vtk.vtkFlyingEdges3D()
    whole.SetInputData(image((voxels > 0).astype(np.uint8) * 255))
    whole.SetValue(0, 127.5)
    whole.ComputeNormalsOff()
    whole.ComputeGradientsOff()
    whole.ComputeScalarsOff()
    step = vtk.vtkWindowedSincPolyDataFilter()
    step.SetInputConnection(whole.GetOutputPort())
    step.SetNumberOfIterations(20)
    step.SetPassBand(0.01)
    step.NonManifoldSmoothingOn()
    step.NormalizeCoordinatesOn()
    step.BoundarySmoothingOff()
    step.FeatureEdgeSmoothingOff()
    if task == "decimate":
        smooth = step
        smooth.Update()
        step = vtk.vtkQuadricDecimation()
        step.SetInputConnection(smooth.GetOutputPort())
        step.SetTargetReduction(0.9)
        step.VolumePreservationOn()
    else:
        whole.Update()
seconds, out = best(step)
source = step.GetInput() if task != "extract" else None
print(json.dumps({"cpu_s": seconds, "triangles": out.GetNumberOfCells(), "from": source.GetNumberOfCells() if source else 0}))
